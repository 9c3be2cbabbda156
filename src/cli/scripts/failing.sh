#!/bin/bash
# Ends on the refused write, telling its line.

. "$(dirname "$0")/common"

rc=9
set -ex
trap 'fail $LINENO' ERR

mem=$(cxl list -M | jq -r '.[0].memdev')
(( ${#mem} > 3 ))
echo 0x1001 > "/sys/bus/cxl/devices/$mem/nothing" || echo "as it should: $?"
echo over > /sys/bus/cxl/devices/$mem/serial
echo never
