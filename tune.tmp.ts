import { tfjsPolicyOf } from '/work/main/main/policy/tfjs/policy.ts';
import { expectedTensors } from '/work/main/main/policy/checkpoint.ts';
import { parseModelConfig } from '/work/main/main/policy/model-config.ts';
const config = parseModelConfig({architectures: ['Qwen2ForCausalLM'],model_type:'qwen2',hidden_size:128,num_hidden_layers:4,num_attention_heads:4,num_key_value_heads:2,intermediate_size:512,vocab_size:768,max_position_embeddings:512,rope_theta:10000,tie_word_embeddings:true},'x');
const p = await tfjsPolicyOf(config,new Map([...expectedTensors(config)].map(([n,s])=>[n,{shape:s,data:Float32Array.from({length:s.reduce((a,b)=>a*b,1)},()=>n.endsWith('norm.weight')?1:0.07*(Math.random()-.5))}])));
const ids=(n:number)=>Int32Array.from({length:n},()=>Math.floor(Math.random()*768));
const cpu=()=>{const c=process.cpuUsage();return (c.user+c.system)/1e6};
const sequences=Array.from({length:64},()=>({prompt:ids(45),completion:ids(70),mask:new Float32Array(70).fill(1),advantages:new Float32Array(70).fill(Math.random()-.5),weights:new Float32Array(70).fill(1/4480)}));
const obj={kind:'policy_gradient',temperature:1,epsilon:.2,epsilon_high:.2,delta:null,beta:0} as const;
const mode=process.argv[2];
if(mode!=='gen') for(const mb of (process.argv[3]??'8,16,32,64').split(',').map(Number)){ let b=0; for(let r=0;r<5;r++){const t=cpu(); await p.update({sequences},obj,{learning_rate:1e-5,adam_beta1:.9,adam_beta2:.999,adam_epsilon:1e-8,weight_decay:0,max_grad_norm:1,micro_batch_size:mb}); b=Math.max(b,7360/(cpu()-t));} console.log('update mb',mb,Math.round(b),'tok/cpu-s'); }
if(mode!=='upd') for(const B of [128]){ let b=0; const prompts=Array.from({length:B},(_,i)=>({key:'p'+i,ids:ids(45)})); for(let r=0;r<15;r++){const t=cpu(); let n=0; for await(const e of p.generate({prompts,n:1,sampling:{temperature:1,top_p:1,top_k:0,seed:r},max_completion_length:70,stop:[]})) if(e.type==='completion') n+=e.ids.length; b=Math.max(b,n/(cpu()-t));} console.log('gen',B,Math.round(b)); }
