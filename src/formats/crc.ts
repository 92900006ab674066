/** A checksum of 32 bits by a polynomial, whose bits are given in reverse (RFC 1952, appendix 8; RFC 3720, appendix B.4). */
export function crcBy(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (let at = 0; at < bytes.length; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/** The CRC-32 of zip, gzip and PNG. */
export const crc32 = crcBy(0xedb88320);
