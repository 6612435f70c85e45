import fs from 'node:fs';
import { createTfjsPolicy } from './main/policy/tfjs/policy.ts';
import { readCheckpoint } from './main/policy/checkpoint.ts';
import * as tf from '@tensorflow/tfjs-core';
const ref = JSON.parse(fs.readFileSync('/tmp/pm/ref.json','utf8'));
const p = await createTfjsPolicy({folder:'/tmp/pm/model'});
const sequences = ref.seqs.map(([a,b]:number[][])=>({prompt:Int32Array.from(a!),completion:Int32Array.from(b!)}));
const r = await p.logprobs({sequences, model:'policy', temperature: ref.T});
let e=0,e2=0; r.forEach((x,i)=>x.logprobs.forEach((v,j)=>{e=Math.max(e,Math.abs(v-ref.out[i].lp[j]));e2=Math.max(e2,Math.abs(x.entropy[j]!-ref.out[i].ent[j]))}));
console.log('logprob err',e,'entropy',e2);
const comp:any[]=[]; 
for await (const ev of p.generate({prompts:sequences.map((s:any,i:number)=>({key:'k'+i,ids:s.prompt})),n:1,sampling:{temperature:0,top_p:1,top_k:0,seed:1},max_completion_length:50,stop:[]})) if(ev.type==='completion') comp[ev.prompt]=Array.from(ev.ids);
comp.forEach((c,i)=>console.log('greedy',i,JSON.stringify(c)===JSON.stringify(ref.greedy[i])));
for (let st=0;st<3;st++){
  const b={sequences:sequences.map((s:any,i:number)=>({...s,mask:new Float32Array(s.completion.length).fill(1),weights:new Float32Array(s.completion.length).fill(1/83),advantages:new Float32Array(s.completion.length).fill(ref.adv[i]),oldLogprobs:st?Float32Array.from(ref.old[i]):undefined,referenceLogprobs:Float32Array.from(ref.out[i].lp).map(v=>v+0.1)}))};
  const m=await p.update(b,{kind:'policy_gradient',temperature:ref.T,epsilon:0.2,epsilon_high:0.28,delta:1.1,beta:0.04},{learning_rate:1e-2,adam_beta1:.9,adam_beta2:.98,adam_epsilon:1e-8,weight_decay:.1,max_grad_norm:.5,micro_batch_size:3});
  console.log(m.loss,ref.steps[st].loss,m.grad_norm,ref.steps[st].gn, m.mean_ratio,m.clip_ratio_low,m.clip_ratio_high, tf.memory().numTensors);
}
await p.save('/tmp/pm/mine','weights');
const a=await readCheckpoint('/tmp/pm/mine'), b=await readCheckpoint('/tmp/pm/after');
for(const [n,t] of a.tensors){ let d=0; const o=b.tensors.get(n)!; t.data.forEach((v,i)=>{d=Math.max(d,Math.abs(v-o.data[i]!))}); if(d>1e-5)console.log(n,d);}
