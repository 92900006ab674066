import { Batch } from '../abi/batch';
import {
  AUGMENT_IMAGES,
  AugmentImages,
  COMPRESS_COLUMNS,
  COMPRESS_ROWS,
  CSR_COLUMNS,
  CompressColumns,
  CompressRows,
  CsrColumns,
  PACK_B,
  PACK_COLUMNS,
  PACK_ROWS,
  PACK_TRANSPOSED_B,
  PackB,
  PackColumns,
  PackRows,
  PackTransposedB,
  SCALE_PANELS,
  ScalePanels,
  TRANSPOSE_PANELS,
  TransposePanels,
} from '../abi/operations';
import { packB, packColumns, packRows, packTransposedB } from '../gemm/pack';
import { scalePanels, transposePanels } from '../gemm/repack';
import { isTileHeight } from '../gemm/tile';
import { Augmentation, augmentRows, borderedBytes } from '../image/augment';
import { panelsOf } from '../layout/panel';
import { shareStart } from '../par/range';
import { compressColumns, compressRows } from '../sparse/compress';
import { transposeCsr } from '../sparse/csr';
import { scratchOf } from './scratch';

/** Operations that gather, pack and compress operands. */
export function runPacking(opcode: i32, record: usize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rows;
  switch (opcode) {
    case PACK_ROWS: {
      const r = changetype<PackRows>(record);
      assert(isTileHeight(r.height));
      const count = (rows + r.height - 1) / r.height;
      const from = shareStart(count, thread, threads);
      const to = shareStart(count, thread + 1, threads);
      const source = r.source || batch.samples;
      const order = r.ordered ? batch.order : 0;
      packRows(r.kind, r.height, rows, r.K, source, r.stride, order, batch.zeros, r.out, from, to);
      break;
    }
    case PACK_COLUMNS: {
      const r = changetype<PackColumns>(record);
      assert(isTileHeight(r.height));
      const count = (r.M + r.height - 1) / r.height;
      const from = shareStart(count, thread, threads);
      const to = shareStart(count, thread + 1, threads);
      const order = r.ordered ? batch.order : 0;
      packColumns(r.kind, r.height, r.M, rows, r.source || batch.samples, r.stride, order, r.out, from, to);
      break;
    }
    case COMPRESS_ROWS: {
      const r = changetype<CompressRows>(record);
      const from = shareStart(rows, thread, threads);
      const to = shareStart(rows, thread + 1, threads);
      const order = r.ordered ? batch.order : 0;
      compressRows(r.kind, r.K, r.source || batch.samples, r.stride, order, r.entries, r.starts, from, to);
      break;
    }
    case COMPRESS_COLUMNS: {
      const r = changetype<CompressColumns>(record);
      const groups = (r.M + 3) / 4;
      const from = shareStart(groups, thread, threads);
      const to = shareStart(groups, thread + 1, threads);
      const order = r.ordered ? batch.order : 0;
      compressColumns(r.kind, rows, r.source || batch.samples, r.stride, order, r.entries, r.starts, from, to);
      break;
    }
    case CSR_COLUMNS: {
      const r = changetype<CsrColumns>(record);
      const from = shareStart(r.features, thread, threads);
      const to = shareStart(r.features, thread + 1, threads);
      transposeCsr(rows, r.features, batch.samples, batch.order, r.starts, r.entries, from, to);
      break;
    }
    case PACK_B: {
      const r = changetype<PackB>(record);
      const count = panelsOf(r.N);
      const from = shareStart(count, thread, threads);
      packB(r.K || rows, r.source, r.stride, r.out, from, shareStart(count, thread + 1, threads));
      break;
    }
    case PACK_TRANSPOSED_B: {
      const r = changetype<PackTransposedB>(record);
      const count = panelsOf(r.N);
      const from = shareStart(count, thread, threads);
      const to = shareStart(count, thread + 1, threads);
      packTransposedB(r.N, r.K, r.source, r.stride, batch.zeros, r.out, from, to);
      break;
    }
    case TRANSPOSE_PANELS: {
      const r = changetype<TransposePanels>(record);
      const count = panelsOf(r.I);
      const from = shareStart(count, thread, threads);
      transposePanels(r.I, r.O, r.source, r.out, from, shareStart(count, thread + 1, threads));
      break;
    }
    case SCALE_PANELS: {
      const r = changetype<ScalePanels>(record);
      const count = panelsOf(r.N);
      const from = shareStart(count, thread, threads);
      scalePanels(r.K, r.source, r.scale, r.out, from, shareStart(count, thread + 1, threads));
      break;
    }
    case AUGMENT_IMAGES: {
      const r = changetype<AugmentImages>(record);
      assert(r.roomBytes >= borderedBytes(r.height, r.width, r.channels));
      augmentRows(
        changetype<Augmentation>(record + offsetof<AugmentImages>('height')),
        batch.samples,
        r.stride,
        batch.order,
        batch.draw,
        batch.key0,
        batch.key1,
        batch.augment,
        r.out,
        r.room + <usize>thread * r.roomBytes,
        scratchOf(batch, thread),
        shareStart(rows, thread, threads),
        shareStart(rows, thread + 1, threads),
      );
      break;
    }
    default:
      unreachable();
  }
}
