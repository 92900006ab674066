// Mutations that any format has: of bytes, of lists of parts, and of JSON values. All choices come from the tape.

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 64, 100, 127, 128, 255, 256, 1024, 32767, 32768, 65535, 65536];
const LARGE = [2 ** 20, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 40, 2 ** 53 - 1, 2 ** 53];

/** Longest file that a mutation makes. */
const MOST_BYTES = 1 << 16;

/** A whole number at which readers tend to go wrong, or any small one. */
export function interesting(tape) {
  if (tape.oneIn(4)) return tape.below(70_000);
  return tape.oneIn(4) ? tape.of(LARGE) : tape.of(INTERESTING);
}

/** One to five changes of a file's bytes; `words` are byte strings that mean something in the format. */
export function mutateBytes(bytes, tape, words, others) {
  let result = Buffer.from(bytes);
  for (let left = 1 + tape.below(5); left > 0; left--) {
    result = mutateOnce(result, tape, words, others).subarray(0, MOST_BYTES);
  }
  return result;
}

function mutateOnce(bytes, tape, words, others) {
  const at = tape.below(bytes.length + 1);
  const length = Math.min(
    tape.oneIn(2) ? 1 + tape.below(8) : tape.below(bytes.length + 1),
    bytes.length - at,
  );
  switch (tape.below(9)) {
    case 0: {
      if (at < bytes.length) bytes[at] ^= 1 << tape.below(8);
      return bytes;
    }
    case 1: {
      if (at < bytes.length) bytes[at] = tape.below(256);
      return bytes;
    }
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4: {
      const again = new Array(1 + tape.below(tape.oneIn(8) ? 200 : 3)).fill(bytes.subarray(at, at + length));
      return joined(bytes.subarray(0, at), ...again, bytes.subarray(at));
    }
    case 5: {
      const other = tape.of(others);
      return joined(bytes.subarray(0, at), other.subarray(tape.below(other.length)));
    }
    case 6:
      return writeNumber(bytes, at, tape);
    default: {
      const word = tape.of(words);
      return joined(bytes.subarray(0, at), word, bytes.subarray(tape.oneIn(2) ? at : at + word.length));
    }
  }
}

function joined(...parts) {
  let room = MOST_BYTES;
  const kept = [];
  for (const part of parts) {
    if (room === 0) break;
    kept.push(part.subarray(0, room));
    room -= kept.at(-1).length;
  }
  return Buffer.concat(kept);
}

/** Writes an interesting number of 1, 2, 4 or 8 bytes, of either byte order, over what stands there. */
export function writeNumber(bytes, at, tape) {
  const size = tape.of([1, 2, 4, 8]);
  if (at + size > bytes.length) return bytes;
  const value = BigInt.asUintN(8 * size, BigInt(interesting(tape)));
  const isBig = tape.oneIn(2);
  for (let index = 0; index < size; index++) {
    const shift = BigInt(8 * (isBig ? size - 1 - index : index));
    bytes[at + index] = Number((value >> shift) & 0xffn);
  }
  return bytes;
}

/** One to three changes of a list: parts left out, repeated, exchanged, taken from elsewhere, or changed themselves. */
export function mutateList(list, tape, change, others) {
  const result = [...list];
  for (let left = 1 + tape.below(3); left > 0 && result.length > 0; left--) {
    const at = tape.below(result.length);
    const other = tape.below(result.length);
    switch (tape.below(6)) {
      case 0:
        result.splice(at, 1);
        break;
      case 1: {
        const times = tape.oneIn(10) ? tape.below(300) : 1;
        result.splice(other, 0, ...new Array(times).fill(result[at]));
        break;
      }
      case 2:
        [result[at], result[other]] = [result[other], result[at]];
        break;
      case 3:
        result.splice(at, 0, tape.of(others));
        break;
      default:
        result[at] = change(result[at]);
    }
  }
  return result;
}

const VALUES = [
  null,
  true,
  false,
  '',
  'x',
  '\u0000\n\u001b[2J',
  0.5,
  -1,
  -0,
  1e308,
  [],
  {},
  [[]],
  [null],
  '7',
  '1e999',
];

/** A JSON value with one to three places in it changed; `keys` are names that mean something in the format. */
export function mutateJson(value, tape, keys) {
  const root = { root: structuredClone(value) };
  for (let left = 1 + tape.below(3); left > 0; left--) changePlace(root, tape, keys);
  return root.root;
}

/** Goes down a random path and changes what stands at its end. */
function changePlace(root, tape, keys) {
  let [holder, key] = [root, 'root'];
  while (holder[key] !== null && typeof holder[key] === 'object' && !tape.oneIn(4)) {
    const inner = Object.keys(holder[key]);
    if (inner.length === 0) break;
    [holder, key] = [holder[key], tape.of(inner)];
  }
  const value = holder[key];
  switch (tape.below(8)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if (holder !== root) delete holder[key];
      break;
    case 1:
      if (Array.isArray(value)) {
        const isFlat = typeof value[0] === 'number';
        const times = isFlat && tape.oneIn(8) ? tape.below(2000) : tape.below(8);
        for (let index = 0; index < times; index++) value.push(value[0] ?? 0);
      } else if (typeof value === 'object' && value !== null)
        value[tape.of(keys)] = structuredClone(tape.of(VALUES));
      break;
    case 2:
      holder[key] = nested(value, tape);
      break;
    case 3:
      holder[key] = interesting(tape);
      break;
    case 4:
      holder[key] = 'long \u{1f600}'.repeat(tape.below(500));
      break;
    default:
      holder[key] = structuredClone(tape.of(VALUES));
  }
}

function nested(value, tape) {
  let result = value;
  for (let depth = tape.oneIn(4) ? tape.below(400) : tape.below(6); depth > 0; depth--) {
    result = depth % 2 === 0 ? [result] : { a: result };
  }
  return result;
}
