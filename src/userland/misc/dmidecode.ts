/**
 * dmidecode 3.4 as far as looking for an entry point: sysfs, then the BIOS area through /dev/mem. The lab's firmware makes no SMBIOS
 * (ledger: firmware-seabios), so decoding of structures is left out.
 */
import { readFileBytes, strerror } from './io.ts';
import { defineTool } from './tool.ts';

const AREA = 0xf0000;

export const dmidecode = defineTool(
  {
    name: 'dmidecode',
    usage: '[OPTIONS]',
    about: 'Shows the SMBIOS tables.',
    misuse: 2,
    options: [
      ['-d, --dev-mem FILE', 'memory'],
      ['-q, --quiet', 'less'],
      ['-s, --string KEYWORD', 'one string'],
      ['-t, --type TYPE', 'one type'],
      ['-u, --dump', 'as hex'],
      ['-V, --version', 'version'],
    ],
  },
  async (t) => {
    if (t.has('V')) {
      t.out.line('3.4');
      return 0;
    }
    const quiet = t.has('q') || t.has('s');
    if (!quiet) t.out.line('# dmidecode 3.4');
    const entry = await readFileBytes(t.sys, '/sys/firmware/dmi/tables/smbios_entry_point');
    let anchor = typeof entry !== 'number';
    if (!anchor) {
      const file = t.get('d') ?? '/dev/mem';
      if (!quiet) t.out.line(`Scanning ${file} for entry point.`);
      const fd = t.sys.open(file, 0);
      const area = new Uint8Array(0x10000);
      const got = fd < 0 ? fd : t.sys.pread(fd, area, AREA);
      if (fd >= 0) t.sys.close(fd);
      if (got < 0) {
        await t.out.flush();
        await t.sys.write(2, new TextEncoder().encode(`${file}: ${strerror(got)}\n`));
        return 1;
      }
      for (let at = 0; at < area.length && !anchor; at += 16)
        anchor = /^(_SM3_|_SM_|_DMI_)/.test(String.fromCharCode(...area.subarray(at, at + 5)));
    }
    if (anchor) {
      await t.fail('there is an SMBIOS entry point, which this dmidecode cannot decode');
      return 1;
    }
    if (!quiet) t.out.line('# No SMBIOS nor DMI entry point found, sorry.');
    return 0;
  },
);
