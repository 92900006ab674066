import { quote } from '../strict/text.js';
import { type PickleCursor, pickleCursor } from './pickle-cursor.js';
import { OP } from './pickle-opcodes.js';
import {
  asText,
  build,
  globalNamed,
  isNode,
  type PickleValue,
  type Refusal,
  reduced,
} from './pickle-values.js';
import { formatError } from './tensor.js';

/** Two hundred blocks need a fifth of this; it bounds the memory that a hostile file can ask for. */
const MAX_OPCODES = 200_000;

/** The reader's whole state. */
interface Machine {
  readonly cursor: PickleCursor;
  readonly source: string;
  readonly stack: PickleValue[];
  /** Stack heights at which a MARK was set. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  /** Texts that were turned into bytes. */
  readonly texts: Map<string, Uint8Array | null>;
}

/**
 * Runs a pickle of protocol 2 to 5 on a stack machine that knows plain data and numpy arrays, and executes nothing:
 * every other opcode or global is refused by name. Returns what the pickle leaves on the stack.
 * Throws `format` errors that begin with `source`.
 */
export function readPickle(bytes: Uint8Array, source: string): PickleValue {
  const cursor = pickleCursor(bytes, source);
  if (bytes[0] !== OP.PROTO) throw formatError(source, 'the file does not begin as a pickle', 'byte 0x80');
  cursor.take(1);
  const protocol = cursor.uint(1);
  if (protocol < 2 || protocol > 5) {
    throw formatError(source, `the pickle is of protocol ${protocol}`, 'protocol 2, 3, 4 or 5');
  }
  const machine: Machine = { cursor, source, stack: [], marks: [], memo: new Map(), texts: new Map() };
  for (let count = 0; count < MAX_OPCODES; count++) {
    const opcode = cursor.uint(1);
    if (opcode === OP.STOP) return finish(machine);
    step(machine, opcode);
  }
  throw formatError(source, `the pickle has more than ${MAX_OPCODES} opcodes`, 'a dict of numpy arrays');
}

function finish(machine: Machine): PickleValue {
  const result = pop(machine);
  if (machine.stack.length > 0 || machine.marks.length > 0) {
    throw formatError(machine.source, 'the pickle leaves more than one value', 'one dict of numpy arrays');
  }
  if (!machine.cursor.atEnd()) {
    const at = machine.cursor.position();
    throw formatError(machine.source, `bytes follow the pickle's end at byte ${at}`, 'the end of the file');
  }
  return result;
}

function step(machine: Machine, opcode: number): void {
  const { cursor, stack } = machine;
  switch (opcode) {
    case OP.FRAME:
      cursor.openFrame(cursor.uint(8));
      break;
    case OP.MARK:
      machine.marks.push(stack.length);
      break;
    case OP.NONE:
      stack.push(null);
      break;
    case OP.NEWTRUE:
      stack.push(true);
      break;
    case OP.NEWFALSE:
      stack.push(false);
      break;
    case OP.BININT:
      stack.push(cursor.int32());
      break;
    case OP.BININT1:
      stack.push(cursor.uint(1));
      break;
    case OP.BININT2:
      stack.push(cursor.uint(2));
      break;
    case OP.LONG1:
      stack.push(longInteger(machine));
      break;
    case OP.SHORT_BINUNICODE:
      stack.push(cursor.text(cursor.uint(1)));
      break;
    case OP.BINUNICODE:
      stack.push(textOrLong(machine, cursor.uint(4)));
      break;
    case OP.BINUNICODE8:
      stack.push(cursor.text(cursor.uint(8)));
      break;
    case OP.SHORT_BINSTRING:
    case OP.SHORT_BINBYTES:
      stack.push(cursor.take(cursor.uint(1)));
      break;
    case OP.BINSTRING:
    case OP.BINBYTES:
      stack.push(cursor.take(cursor.uint(4)));
      break;
    case OP.BINBYTES8:
    case OP.BYTEARRAY8:
      stack.push(cursor.take(cursor.uint(8)));
      break;
    case OP.NEXT_BUFFER:
      throw formatError(
        machine.source,
        "the pickle keeps an array's bytes elsewhere",
        'a pickle with all of its bytes',
      );
    case OP.EMPTY_TUPLE:
      stack.push({ kind: 'tuple', items: [] });
      break;
    case OP.TUPLE:
      stack.push({ kind: 'tuple', items: popToMark(machine) });
      break;
    case OP.TUPLE1:
      stack.push({ kind: 'tuple', items: popItems(machine, 1) });
      break;
    case OP.TUPLE2:
      stack.push({ kind: 'tuple', items: popItems(machine, 2) });
      break;
    case OP.TUPLE3:
      stack.push({ kind: 'tuple', items: popItems(machine, 3) });
      break;
    case OP.EMPTY_DICT:
      stack.push({ kind: 'dict', entries: new Map() });
      break;
    case OP.SETITEM:
      setItems(machine, popItems(machine, 2));
      break;
    case OP.SETITEMS:
      setItems(machine, popToMark(machine));
      break;
    case OP.GLOBAL:
      stack.push(accepted(machine, globalNamed(cursor.line(), cursor.line())));
      break;
    case OP.STACK_GLOBAL:
      pushStackGlobal(machine);
      break;
    case OP.REDUCE: {
      const [callable, args] = popItems(machine, 2);
      stack.push(accepted(machine, reduced(callable!, args!, machine.texts)));
      break;
    }
    case OP.BUILD: {
      const state = pop(machine);
      const refusal = build(top(machine), state);
      if (refusal !== null) throw refused(machine, refusal);
      break;
    }
    case OP.MEMOIZE:
      machine.memo.set(machine.memo.size, top(machine));
      break;
    case OP.BINPUT:
      machine.memo.set(cursor.uint(1), top(machine));
      break;
    case OP.LONG_BINPUT:
      machine.memo.set(cursor.uint(4), top(machine));
      break;
    case OP.BINGET:
      stack.push(recall(machine, cursor.uint(1)));
      break;
    case OP.LONG_BINGET:
      stack.push(recall(machine, cursor.uint(4)));
      break;
    default: {
      const code = `0x${opcode.toString(16).padStart(2, '0')}`;
      const found = `the pickle has opcode ${code} at byte ${cursor.position() - 1}`;
      throw formatError(machine.source, found, 'one that a dict of numpy arrays needs');
    }
  }
}

/** The longest text that is a name; a longer one can only be an array's bytes, as protocol 2 has them. */
const LONGEST_NAME = 4096;

function textOrLong({ cursor }: Machine, length: number): PickleValue {
  if (length <= LONGEST_NAME) return cursor.text(length);
  return { kind: 'longText', utf8: cursor.take(length), encoded: null };
}

/** An integer of up to 6 bytes, little-endian in two's complement: none that an array needs is longer. */
function longInteger({ cursor, source }: Machine): number {
  const length = cursor.uint(1);
  if (length > 6) throw formatError(source, `the pickle has an integer of ${length} bytes`, 'at most 6');
  const bytes = cursor.take(length);
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + bytes[index]!;
  return length > 0 && bytes[length - 1]! >= 0x80 ? value - 256 ** length : value;
}

function setItems(machine: Machine, items: PickleValue[]): void {
  const dict = top(machine);
  if (!isNode(dict, 'dict') || items.length % 2 !== 0) {
    throw formatError(machine.source, 'the pickle sets items of something else', 'a dict');
  }
  for (let index = 0; index < items.length; index += 2) {
    const key = asText(items[index]!);
    if (typeof key !== 'string')
      throw formatError(machine.source, 'the dict has a key that is no string', 'a name');
    if (dict.entries.has(key))
      throw formatError(machine.source, `the dict has ${quote(key)} twice`, 'one value');
    dict.entries.set(key, items[index + 1]!);
  }
}

function pushStackGlobal(machine: Machine): void {
  const [module, name] = popItems(machine, 2);
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw formatError(machine.source, 'the pickle names a global with something else', 'two strings');
  }
  machine.stack.push(accepted(machine, globalNamed(module, name)));
}

function recall(machine: Machine, index: number): PickleValue {
  const value = machine.memo.get(index);
  if (value === undefined) {
    throw formatError(
      machine.source,
      `the pickle recalls memo ${index}, which was never stored`,
      'a stored one',
    );
  }
  return value;
}

/** The stack's height at the last MARK: values below it are not popped. */
function floor(machine: Machine): number {
  return machine.marks.at(-1) ?? 0;
}

function top(machine: Machine): PickleValue {
  if (machine.stack.length <= floor(machine)) throw underflow(machine);
  return machine.stack.at(-1)!;
}

function pop(machine: Machine): PickleValue {
  const value = top(machine);
  machine.stack.pop();
  return value;
}

function popItems(machine: Machine, count: number): PickleValue[] {
  if (machine.stack.length - count < floor(machine)) throw underflow(machine);
  return machine.stack.splice(-count);
}

function popToMark(machine: Machine): PickleValue[] {
  const mark = machine.marks.pop();
  if (mark === undefined)
    throw formatError(machine.source, 'the pickle closes a mark it never set', 'a mark');
  return machine.stack.splice(mark);
}

function underflow(machine: Machine) {
  const at = machine.cursor.position();
  return formatError(
    machine.source,
    `the pickle takes a value that is not there before byte ${at}`,
    'a value',
  );
}

function accepted<T extends PickleValue>(machine: Machine, result: T | Refusal): T {
  if (typeof result === 'object' && result !== null && 'found' in result) throw refused(machine, result);
  return result as T;
}

function refused(machine: Machine, refusal: Refusal) {
  return formatError(machine.source, refusal.found, refusal.expected);
}
