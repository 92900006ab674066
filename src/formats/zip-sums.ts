// What fflate's unzipSync leaves out: it reads a zip's directory entry by entry, and checks no checksum.

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_ZIP64_DIRECTORY = 0x06064b50;
const PLACE_OF_ZIP64_DIRECTORY = 0x07064b50;

/** The CRC-32 that the directory of a zip states of each entry, in its order. Throws `RangeError` where it leads out of the file. */
export function* statedChecksums(bytes: Uint8Array): Generator<number, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = (at: number) => view.getUint32(at, true);
  let end = bytes.length - 22;
  while (number(end) !== END_OF_DIRECTORY) end--;
  let at = number(end + 16);
  if (end >= 20 && number(end - 20) === PLACE_OF_ZIP64_DIRECTORY) {
    const own = number(end - 12);
    if (number(own) === END_OF_ZIP64_DIRECTORY) at = number(own + 48);
  }
  for (;;) {
    yield number(at + 16);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}
