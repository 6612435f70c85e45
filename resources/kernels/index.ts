// Everything that the tensor backend calls. The module has no static data and no allocator: it works in the memory it is given.
export { gemm, pack } from './gemm';
export { addTo, copy, fillRows, gatherRows, rmsNorm, rmsNormGradient, rmsNormHeads, rmsNormHeadsGradient, rotary, scatterAddRows, sumRows, swiGlu, swiGluGradient, zero } from './rows';
export { attention, attentionGradient } from './attention';
export { copySlot, decodeAttention, fillCache } from './decode';
export { greedyRows, sampleRows, scoreRows, scoreRowsGradient } from './loss';
export { adamW, sumOfSquares } from './adamw';
