import type { Bytes } from '#bindings';
import { crcBy } from '../formats/crc.js';

// TensorFlow's record files: the length as 8 bytes, its checksum, the content, its checksum, all little-endian.

/** CRC-32C (Castagnoli, 1993). */
export const crc32c = crcBy(0x82f63b78);

/** Checksums are turned by 15 bits and shifted, so that the checksum of a record within a record is another one. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record of some content. */
export function recordOf(content: Uint8Array): Bytes {
  const record = new Uint8Array(content.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, content.length, true); // The upper four bytes of the length stay 0.
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc32c(content), true);
  return record;
}
