// Mutations of PNG and JPEG files by their chunks and segments.
import { deflateSync } from 'node:zlib';
import { segment } from './jpeg.mjs';
import { interesting, mutateBytes, mutateList, writeNumber } from './mutate.mjs';
import { pngOf, pngParts } from './png.mjs';

/** Changes chunks, the header's fields or the scanlines, with lengths and CRCs right. */
export function mutatePng(bytes, tape, corpus) {
  const parts = pngParts(bytes);
  if (tape.oneIn(2)) {
    const header = parts.find(({ type }) => type === 'IHDR');
    if (header?.content.length === 13) header.content = changedHeader(Buffer.from(header.content), tape);
  }
  if (tape.oneIn(2)) repack(parts, tape);
  const change = ({ type, content }) => {
    if (type === 'IDAT' && content.length > 1 && tape.oneIn(2)) return { type, content: content.subarray(1) };
    return {
      type: tape.oneIn(4) ? tape.of(['PLTE', 'tRNS', 'IDAT', 'iCCP']) : type,
      content: noisy(content, tape),
    };
  };
  const changed = tape.oneIn(2) ? mutateList(parts, tape, change, pngParts(tape.of(corpus))) : parts;
  return pngOf(splitData(changed, tape));
}

function noisy(content, tape) {
  return mutateBytes(content, tape, [Buffer.alloc(2), Buffer.alloc(3, 0xff)], [content]).subarray(0, 2000);
}

function changedHeader(header, tape) {
  const field = tape.below(6);
  if (field < 2)
    header.writeUInt32BE(tape.oneIn(2) ? tape.below(40) : interesting(tape) % 2 ** 32, 4 * field);
  else header[6 + field] = tape.oneIn(4) ? tape.below(256) : tape.of([0, 1, 2, 3, 4, 6, 8, 16]);
  return header;
}

/** Compresses other scanlines: as many as the header needs, or any number. */
function repack(parts, tape) {
  const header = parts.find(({ type }) => type === 'IHDR')?.content;
  const data = parts.find(({ type }) => type === 'IDAT');
  if (data === undefined || header?.length !== 13) return;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const bits = header[8] * ([1, 1, 3, 1, 2, 1, 4][header[9]] ?? 1);
  const needed = height * (1 + Math.ceil((width * bits) / 8));
  const length = tape.below(4) > 0 ? needed : interesting(tape);
  if (length > 1 << 17) return;
  const lines = Buffer.alloc(length, tape.below(6));
  for (let count = tape.below(8); count > 0 && length > 0; count--)
    lines[tape.below(length)] = tape.below(256);
  data.content = deflateSync(lines, { level: tape.of([0, 1, 9]) });
}

/** Cuts the data into many chunks, now and then. */
function splitData(parts, tape) {
  if (!tape.oneIn(8)) return parts;
  const size = tape.below(20);
  return parts.flatMap(({ type, content }) => {
    if (type !== 'IDAT') return [{ type, content }];
    if (size === 0)
      return [...new Array(300).fill({ type, content: content.subarray(0, 0) }), { type, content }];
    const count = Math.min(400, Math.ceil(content.length / size));
    return Array.from({ length: count }, (_, index) => {
      const end = index === count - 1 ? content.length : (index + 1) * size;
      return { type, content: content.subarray(index * size, end) };
    });
  });
}

/** Changes segments with their lengths right, among them the frame's sizes and the scans. */
export function mutateJpeg(bytes, tape, corpus) {
  const change = (part) => {
    const marker = part[1];
    const data = dataOf(part);
    const body = Buffer.from(part.subarray(4, part.length - data.length));
    if (marker >= 0xc0 && marker <= 0xc2 && tape.below(4) > 0) changeFrame(body, tape);
    else if (tape.oneIn(2)) writeNumber(body, tape.below(body.length), tape);
    else return Buffer.concat([segment(marker, noisy(body, tape)), data]);
    return Buffer.concat([
      segment(marker, body),
      tape.oneIn(4) ? data.subarray(tape.below(data.length)) : data,
    ]);
  };
  const parts = segmentsOf(bytes);
  const middle = mutateList(parts.slice(1, -1), tape, change, segmentsOf(tape.of(corpus)).slice(1, -1));
  return Buffer.concat([parts[0] ?? bytes, ...middle, parts.at(-1) ?? bytes]).subarray(0, 1 << 16);
}

function changeFrame(body, tape) {
  if (body.length < 6) return;
  const at = tape.of([1, 3]);
  switch (tape.below(4)) {
    case 0:
      body.writeUInt16BE(interesting(tape) % 65536, at);
      break;
    case 1:
      body.writeUInt16BE(tape.below(80), at);
      break;
    case 2:
      body[7 + 3 * tape.below(3)] = 16 * tape.below(5) + tape.below(5);
      break;
    default:
      body[tape.below(body.length)] = tape.below(256);
  }
}

/** The segments of a JPEG, scans with the data that follow them, as far as they can be made out. */
function segmentsOf(bytes) {
  const parts = [bytes.subarray(0, 2)];
  for (let at = 2; at + 4 <= bytes.length; ) {
    let end = at + 2 + bytes.readUInt16BE(at + 2);
    if (bytes[at + 1] === 0xda) {
      while (
        end + 1 < bytes.length &&
        (bytes[end] !== 0xff || bytes[end + 1] === 0 || bytes[end + 1] === 0xd0)
      )
        end++;
    }
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  parts.push(Buffer.of(0xff, 0xd9));
  return parts;
}

function dataOf(part) {
  return part[1] === 0xda ? part.subarray(2 + part.readUInt16BE(2)) : Buffer.alloc(0);
}
