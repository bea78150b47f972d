/**
 * Generates src/run/onnx/onnx_pb.ts from onnx.proto beside it, with protoc-gen-es, which buf calls. Both are downloaded for this run only,
 * because the schema hardly ever changes. Run: npx jiti scripts/makeOnnxSchema.ts
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../src/run/onnx', import.meta.url));

const template = {
  version: 'v2',
  plugins: [{ local: 'protoc-gen-es', out: '.', opt: ['target=ts', 'import_extension=js'] }],
};
const packages = ['@bufbuild/buf@1.75', '@bufbuild/protoc-gen-es@2.10'].flatMap((name) => ['-p', name]);
execFileSync('npx', ['-y', ...packages, 'buf', 'generate', 'onnx.proto', '--template', JSON.stringify(template)], {
  cwd: FOLDER,
  stdio: 'inherit',
});
