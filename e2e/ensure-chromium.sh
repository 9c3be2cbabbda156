#!/usr/bin/env bash
# Makes sure a Chromium for the journeys exists: an installed one, else Playwright's download, else the distribution's package.
set -u
for path in "${CHROMIUM_PATH:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
  if [ -n "$path" ] && [ -x "$path" ]; then exit 0; fi
done
if node -e 'process.exit(require("node:fs").existsSync(require("@playwright/test").chromium.executablePath()) ? 0 : 1)' 2>/dev/null; then exit 0; fi
echo "No Chromium found: trying Playwright's download." >&2
if timeout 300 npx playwright install chromium >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null; then
  echo "Playwright's download is not reachable: installing the distribution's chromium package." >&2
  sudo=""; [ "$(id -u)" -eq 0 ] || sudo="sudo"
  export DEBIAN_FRONTEND=noninteractive
  if $sudo apt-get -o DPkg::Lock::Timeout=300 update >/dev/null && $sudo apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; then exit 0; fi
fi
echo "No Chromium could be installed. Install one and set CHROMIUM_PATH to its executable." >&2
exit 1
