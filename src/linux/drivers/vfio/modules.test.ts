import { expect, test } from 'vitest';
import { E } from '../../../base/errno.ts';
import { BUILD, runShell } from '../../testing/fake-machine.ts';
import { O_RDWR } from '../../uapi/constants.ts';
import { VFIO_CHECK_EXTENSION, VFIO_GET_API_VERSION, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU } from '../../uapi/vfio.ts';
import { pci_modules } from '../pci/modules.ts';
import { vfio_modules } from './modules.ts';

test('a kernel with VFIO built in has its nodes, its drivers and an empty container', async () => {
  const config = {
    PCI: 'y',
    IOMMUFD: 'y',
    VFIO: 'y',
    VFIO_IOMMU_TYPE1: 'y',
    VFIO_PCI_CORE: 'y',
    VFIO_PCI: 'y',
    VFIO_CXL_CORE: 'y',
    CXL_ACCEL_VFIO_PCI: 'y',
  } as const;
  const { result } = await runShell(
    async (sys) => {
      const fd = sys.open('/dev/vfio/vfio', O_RDWR);
      return [
        fd >= 0,
        sys.ioctl(fd, VFIO_GET_API_VERSION),
        sys.ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU),
        sys.ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
        sys.open('/dev/vfio/5', O_RDWR),
        sys.open('/dev/iommu', O_RDWR) >= 0,
        typeof sys.stat('/sys/bus/pci/drivers/vfio-pci/new_id') !== 'number',
        typeof sys.stat('/sys/bus/pci/drivers/cxl_accel_vfio_pci/bind') !== 'number',
        typeof sys.stat('/sys/class/misc/vfio') !== 'number',
      ];
    },
    {
      modules: [...pci_modules, ...vfio_modules],
      build: { ...BUILD, config, patches: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] },
    },
  );
  expect(result).toEqual([true, 0, 1, -E.EINVAL, -E.ENOENT, true, true, true, true]);
});
