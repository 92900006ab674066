import { Augmentation, augmentRows, borderedBytes } from '../../assembly/image/augment';
import { STREAM_AUGMENT } from '../../assembly/rng/philox';
import { philoxTwin } from './philox-twin';
import { allocate, begin, expectGuards, expectNear, expectThat, fail, fillBytes, shuffled } from './support';

// Every image is compared with the map at the head of image/augment.ts in f64, drawn by the scalar generator. A value of
// the kernel is a rounded one whose coordinates are f32: it may be off by half of one, and by what a coordinate is off.

const KEY0: u32 = 0x1234;
const KEY1: u32 = 0x9876;
/** Half a step of rounding, and a coordinate's error of a ten-thousandth times the largest slope. */
const TOLERANCE: f64 = 0.5 + 0.05;

const how = changetype<Augmentation>(heap.alloc(offsetof<Augmentation>()));
const words = heap.alloc(64);
let height: i32 = 0;
let width: i32 = 0;
let channels: i32 = 0;
let rows: i32 = 0;
let source: usize = 0;
let order: usize = 0;
let out: usize = 0;
let room: usize = 0;

function bytesOf(): i32 {
  return height * width * channels;
}

function makeCase(h: i32, w: i32, c: i32, count: i32, ordered: bool): void {
  begin(`${h.toString()} x ${w.toString()} x ${c.toString()}`, 7 * h + 31 * w + c);
  height = h;
  width = w;
  channels = c;
  rows = count;
  source = allocate(bytesOf() * count);
  fillBytes(source, bytesOf() * count);
  order = ordered ? shuffled(count) : 0;
  out = allocate(bytesOf() * count);
  room = allocate(borderedBytes(h, w, c));
  memory.fill(room, 0, borderedBytes(h, w, c));
  how.height = h;
  how.width = w;
  how.channels = c;
}

function setRanges(flip: f32, share: f32, rotation: f32, zoom: f32, aspect: f32, shear: f32, shift: f32): void {
  how.flip = flip;
  how.share = share;
  how.rotation = rotation;
  how.zoom = zoom;
  how.aspect = aspect;
  how.shear = shear;
  how.shift = shift;
}

function augment(draw: i32, kind: i32, from: i32, to: i32): void {
  augmentRows(how, source, bytesOf(), order, draw, KEY0, KEY1, kind, out, room, words, from, to);
}

function sampleOf(b: i32): i32 {
  return order ? load<i32>(order + (<usize>b << 2)) : b;
}

/** The source's byte, 0 outside of the image. */
function pixel(sample: i32, r: i32, c: i32, ch: i32): f64 {
  if (r < 0 || c < 0 || r >= height || c >= width) return 0;
  return <f64>load<u8>(source + sample * bytesOf() + (r * width + c) * channels + ch);
}

/** Word `index` of a sample's draws as a number from 0 to below 1. */
function drawnShare(sample: i32, draw: i32, index: i32): f64 {
  const block = philoxTwin(2 * sample + index / 4, draw, 0, STREAM_AUGMENT << 16, KEY0, KEY1);
  return <f64>(block[index % 4] >>> 8) / 16777216.0;
}

function drawnWithin(sample: i32, draw: i32, index: i32, range: f32): f64 {
  return (2 * drawnShare(sample, draw, index) - 1) * <f64>range;
}

/** The whole batch has to be the twin's. */
function expectImages(draw: i32, kind: i32): void {
  for (let b = 0; b < rows; b++) {
    const sample = sampleOf(b);
    const moved = kind > 1 && drawnShare(sample, draw, 0) < <f64>how.share;
    const flipped = kind > 0 && drawnShare(sample, draw, 1) < <f64>how.flip;
    const angle = moved ? drawnWithin(sample, draw, 2, how.rotation) : 0;
    const zoom = moved ? drawnWithin(sample, draw, 3, how.zoom) : 0;
    const aspect = moved ? drawnWithin(sample, draw, 4, how.aspect) : 0;
    const shear = moved ? drawnWithin(sample, draw, 5, how.shear) : 0;
    const shiftX = moved ? drawnWithin(sample, draw, 6, how.shift) : 0;
    const shiftY = moved ? drawnWithin(sample, draw, 7, how.shift) : 0;
    const zx = Math.exp(zoom + aspect);
    const zy = Math.exp(zoom - aspect);
    const cx = <f64>(width - 1) / 2;
    const cy = <f64>(height - 1) / 2;
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const dx = <f64>c - cx;
        const dy = <f64>r - cy;
        const u = zx * Math.cos(angle) * dx + (shear - zx * Math.sin(angle)) * dy;
        const v = zy * Math.sin(angle) * dx + zy * Math.cos(angle) * dy;
        const x = cx + (flipped ? -u : u) + shiftX;
        const y = cy + v + shiftY;
        const x0 = <i32>Math.floor(x);
        const y0 = <i32>Math.floor(y);
        const tx = x - <f64>x0;
        const ty = y - <f64>y0;
        for (let ch = 0; ch < channels; ch++) {
          const top = pixel(sample, y0, x0, ch) * (1 - tx) + pixel(sample, y0, x0 + 1, ch) * tx;
          const below = pixel(sample, y0 + 1, x0, ch) * (1 - tx) + pixel(sample, y0 + 1, x0 + 1, ch) * tx;
          const value = <f64>load<u8>(out + b * bytesOf() + (r * width + c) * channels + ch);
          expectNear(value, top * (1 - ty) + below * ty, TOLERANCE, 'pixel', b, (r * width + c) * channels + ch);
        }
      }
    }
  }
  expectGuards();
}

/** Sides around the vector width, and Fashion-MNIST's. */
const SIDES: i32[] = [1, 2, 3, 4, 5, 7, 8, 9, 28];

function checkSizes(c: i32, flip: f32): void {
  for (let i = 0; i < SIDES.length; i++) {
    for (let j = 0; j < SIDES.length; j++) {
      makeCase(SIDES[i], SIDES[j], c, 3, (i + j) % 2 == 1);
      setRanges(flip, 1, <f32>0.6, <f32>0.2, <f32>0.15, <f32>0.3, <f32>1.7);
      augment(5, 2, 0, rows);
      expectImages(5, 2);
    }
  }
}

function sameBytes(one: usize, other: usize): bool {
  return memory.compare(one, other, bytesOf() * rows) == 0;
}

describe('augmented images', () => {
  it('are those of the map in f64, of every size, with one channel and three, flipped or not', () => {
    checkSizes(1, 0);
    checkSizes(1, 1);
    checkSizes(3, <f32>0.5);
    checkSizes(2, <f32>0.5);
  });

  it('are right at the largest ranges, where most of an image lies outside', () => {
    makeCase(13, 11, 1, 40, true);
    setRanges(<f32>0.5, 1, <f32>3.14159, <f32>0.5, <f32>0.5, 2, 9);
    augment(1, 2, 0, rows);
    expectImages(1, 2);
    setRanges(<f32>0.5, 1, 0, 0, 0, 0, 1000);
    augment(1, 2, 0, rows);
    expectImages(1, 2);
  });

  it('are the images themselves without ranges, and mirrored where only flips are asked for (exact)', () => {
    makeCase(9, 6, 1, 20, false);
    setRanges(0, 1, 0, 0, 0, 0, 0);
    augment(1, 2, 0, rows);
    expectThat(sameBytes(out, source), 'an image that is moved by nothing differs');
    setRanges(1, 1, 1, 1, 1, 1, 1);
    augment(1, 1, 0, rows);
    for (let b = 0; b < rows; b++) {
      for (let r = 0; r < height; r++) {
        for (let c = 0; c < width; c++) {
          const value = load<u8>(out + b * bytesOf() + r * width + c);
          if (<f64>value != pixel(b, r, width - 1 - c, 0)) fail('a mirrored image differs');
        }
      }
    }
    augment(1, 0, 0, rows);
    expectThat(sameBytes(out, source), 'an image that is only copied differs');
    expectGuards();
  });

  it('are drawn by sample, epoch and key alone: in any parts and order (exact)', () => {
    makeCase(8, 7, 3, 24, false);
    setRanges(<f32>0.5, <f32>0.7, <f32>0.3, <f32>0.1, <f32>0.1, <f32>0.1, 1);
    augment(3, 2, 0, rows);
    const whole = allocate(bytesOf() * rows);
    memory.copy(whole, out, bytesOf() * rows);
    memory.fill(out, 0, bytesOf() * rows);
    augment(3, 2, 11, rows);
    augment(3, 2, 0, 11);
    expectThat(sameBytes(out, whole), 'the parts differ from the whole');
    order = shuffled(rows);
    augment(3, 2, 0, rows);
    for (let b = 0; b < rows; b++) {
      const at = whole + sampleOf(b) * bytesOf();
      expectThat(memory.compare(out + b * bytesOf(), at, bytesOf()) == 0, 'another order draws another image');
    }
    order = 0;
    augment(4, 2, 0, rows);
    expectThat(!sameBytes(out, whole), 'another epoch draws the same');
    expectGuards();
  });

  it('are moved and flipped as often as their shares say (five standard errors)', () => {
    makeCase(2, 3, 1, 4000, false);
    setRanges(<f32>0.3, <f32>0.7, 0, 0, 0, 0, 1000);
    augment(9, 2, 0, rows);
    let empty = 0;
    for (let b = 0; b < rows; b++) {
      let sum = 0;
      for (let i = 0; i < bytesOf(); i++) sum += load<u8>(out + b * bytesOf() + i);
      empty += i32(sum == 0);
    }
    // Nearly every image that is moved is moved out of sight.
    expectNear(<f64>empty, 2800, 5 * Math.sqrt(4000 * 0.7 * 0.3) + 20, 'moved images', 0, 0);
    setRanges(<f32>0.3, 0, 0, 0, 0, 0, 0);
    augment(9, 2, 0, rows);
    let flipped = 0;
    for (let b = 0; b < rows; b++) {
      flipped += i32(memory.compare(out + b * bytesOf(), source + b * bytesOf(), bytesOf()) != 0);
    }
    expectNear(<f64>flipped, 1200, 5 * Math.sqrt(4000 * 0.3 * 0.7), 'flipped images', 0, 0);
    expectGuards();
  });
});
