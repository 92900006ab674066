import type { Bytes } from '#bindings';
import { encodeMessage } from '../protobuf.js';
import { MESSAGES, type OnnxModel } from './schema.js';

/** An ONNX model as the bytes of its file. Equal models give equal bytes. */
export function encodeOnnx(model: OnnxModel): Bytes {
  return encodeMessage(MESSAGES, 'Model', model);
}
