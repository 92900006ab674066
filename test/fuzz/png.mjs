// Builds PNG files of any chunks, with their lengths and CRCs right, and takes them apart.
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** A chunk: length, type, content and CRC. */
export function pngChunk(type, content) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(content)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A PNG of the given header, chunks before the data, and scanlines with their filter bytes. */
export function pngBytes({ width, height, depth, colorType, interlace = 0 }, chunks, scanlines) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colorType, 0, 0, interlace], 8);
  const data = pngChunk('IDAT', deflateSync(scanlines));
  return Buffer.concat([SIGNATURE, pngChunk('IHDR', header), ...chunks, data, pngChunk('IEND', [])]);
}

/** The chunks of a PNG as types and contents, as far as they can be made out. */
export function pngParts(bytes) {
  const parts = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    parts.push({ type: bytes.toString('latin1', at + 4, at + 8), content: bytes.subarray(at + 8, end - 4) });
    at = end;
  }
  return parts;
}

/** The PNG of such parts. */
export function pngOf(parts) {
  return Buffer.concat([SIGNATURE, ...parts.map(({ type, content }) => pngChunk(type, content))]);
}
