/** A gzip member (RFC 1952) holding its content in stored deflate blocks: what /proc/config.gz needs, without a compressor. */
export function gzip_stored(content: Uint8Array): Uint8Array {
  const BLOCK = 65535;
  const blocks = Math.max(1, Math.ceil(content.length / BLOCK));
  const out = new Uint8Array(10 + blocks * 5 + content.length + 8);
  const view = new DataView(out.buffer);
  out.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
  let at = 10;
  for (let n = 0; n < blocks; n++) {
    const part = content.subarray(n * BLOCK, (n + 1) * BLOCK);
    view.setUint8(at, n === blocks - 1 ? 1 : 0);
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, part.length ^ 0xffff, true);
    out.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, crc32(content), true);
  view.setUint32(at + 4, content.length, true);
  return out;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
