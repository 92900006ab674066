import { Batch } from '../abi/batch';
import { GEMM, Gemm, SDDMM, SPMM, SPMM_CSR, Sddmm, Spmm, SpmmCsr } from '../abi/operations';
import { gemm } from '../gemm/gemm';
import { K_BLOCK } from '../sparse/compress';
import { spmmCsr } from '../sparse/csr';
import { sddmm } from '../sparse/sddmm';
import { spmm } from '../sparse/spmm';
import { scratchOf } from './scratch';

/** Operations that multiply. */
export function runProduct(opcode: i32, record: usize, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rows;
  switch (opcode) {
    case GEMM: {
      const r = changetype<Gemm>(record);
      gemm(r.height, r.M || rows, r.N, r.K || rows, r.a, r.b, r.init, r.c, r.cStride, thread, threads);
      break;
    }
    case SPMM: {
      const r = changetype<Spmm>(record);
      spmm(r.width, rows, r.N, r.K, K_BLOCK, r.starts, r.b, r.init, r.c, r.cStride, thread, threads);
      break;
    }
    case SPMM_CSR: {
      const r = changetype<SpmmCsr>(record);
      spmmCsr(r.width, rows, r.N, r.K, batch.samples, batch.order, r.b, r.init, r.c, r.cStride, thread, threads);
      break;
    }
    case SDDMM: {
      const r = changetype<Sddmm>(record);
      const scratch = scratchOf(batch, thread);
      const zeros = batch.zeros;
      sddmm(
        r.width,
        rows,
        r.N,
        r.K,
        r.starts,
        r.d,
        r.dStride,
        r.b,
        r.dx,
        r.xStride,
        zeros,
        scratch,
        thread,
        threads,
      );
      break;
    }
    default:
      unreachable();
  }
}
