/**
 * A conversation as token ids through the model's own chat template (Jinja). On ordinary messages the ids are those of
 * Transformers' `apply_chat_template(tokenize=True)`; what a message says can never become a control token, so a question that
 * contains `<|im_end|>` cannot end its own turn.
 */
import { randomUUID } from 'node:crypto';
import { type ChatProgram, compileChatTemplate, pythonStrip } from './chat-program.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { reason } from './json-file.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface RenderOptions {
  /** End with the opening of the assistant's turn. @default true */
  addGenerationPrompt?: boolean;
}

const compiled = new Map<string, ChatProgram>();

/**
 * Ids of a conversation. Without a chat template the contents are put one after another.
 *
 * The control tokens that come out must be those of the same conversation with unguessable stand-ins for the contents.
 * Where they are not, a content has one written in it: then only the template's part is read with control tokens.
 * Errors: CheckpointError with the folder and what the template said; or when a template rewrites such a content, so that
 * its part cannot be told from the template's.
 */
export function renderPrompt(tokenizer: Tokenizer, messages: readonly ChatMessage[], options: RenderOptions = {}): number[] {
  const contents = messages.map((message) => message.content);
  if (tokenizer.chatTemplate === null) return tokenizer.encodePlain(contents.join(''));

  const text = renderText(tokenizer, messages, options);
  const ids = tokenizer.encode(text);
  if (!tokenizer.controlTokens.some(({ content }) => contents.some((said) => mayForm(said, content)))) return ids;

  const standIns = contents.map(() => `standin${randomUUID().replaceAll('-', '')}`);
  const skeleton = renderText(
    tokenizer,
    messages.map((message, i) => ({ ...message, content: standIns[i] as string })),
    options,
  );
  const control = (all: number[]): string => all.filter((id) => tokenizer.controlIds.has(id)).join();
  if (control(ids) === control(tokenizer.encode(skeleton))) return ids;

  // As they are, trimmed, or (in Qwen3's answers) without the line breaks before them.
  const rewritten = [
    (content: string) => content,
    (content: string) => pythonStrip(content),
    (content: string) => pythonStrip(content, 'lstrip', '\n'),
  ];
  for (const said of rewritten.map((rewrite) => contents.map(rewrite))) {
    const fill = (part: string): string =>
      standIns.reduce((filled, standIn, i) => filled.replaceAll(standIn, () => said[i] as string), part);
    if (fill(skeleton) === text) return encodeParts(tokenizer, skeleton, fill);
  }
  throw new CheckpointError(
    `${tokenizer.folder}: a message contains a control token of this model (${tokenizer.controlTokens
      .filter(({ content }) => contents.some((said) => said.includes(content)))
      .map(({ content }) => content)
      .join(', ')}) and the chat template rewrites messages, so it cannot be kept as plain text. Remove it from the message.`,
  );
}

/** The template's text, control tokens written out. Errors: CheckpointError with what the template raised. */
export function renderText(tokenizer: Tokenizer, messages: readonly ChatMessage[], options: RenderOptions = {}): string {
  const source = tokenizer.chatTemplate;
  if (source === null) return messages.map((message) => message.content).join('');
  try {
    let program = compiled.get(source);
    if (!program) {
      program = compileChatTemplate(source);
      compiled.set(source, program);
    }
    return program({
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: options.addGenerationPrompt ?? true,
      tools: null,
      documents: null,
      ...tokenizer.namedTokens,
    });
  } catch (error) {
    throw new CheckpointError(
      `${tokenizer.folder}: the chat template failed: ${reason(error)}. Mend it (chat_template.jinja, or chat_template in tokenizer_config.json), or ask without it: prompt.template "raw"`,
    );
  }
}

/** Whether a content holds a control token, or so much of one at an edge that the template's text could complete it. */
function mayForm(said: string, token: string): boolean {
  if (said !== '' && (said.includes(token) || token.includes(said))) return true;
  for (let length = 1; length < token.length; length++) {
    if (said.endsWith(token.slice(0, length)) || said.startsWith(token.slice(length))) return true;
  }
  return false;
}

/** Template text cut at its control tokens; the text between them, contents filled in, is encoded as plain text. */
function encodeParts(tokenizer: Tokenizer, skeleton: string, fill: (part: string) => string): number[] {
  const escaped = tokenizer.controlTokens.map(({ content }) => content.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const idOf = new Map(tokenizer.controlTokens.map(({ content, id }) => [content, id]));
  return skeleton.split(new RegExp(`(${escaped.join('|')})`, 'u')).flatMap((part) => {
    const id = idOf.get(part);
    if (id !== undefined) return [id];
    return part === '' ? [] : tokenizer.encodePlain(fill(part));
  });
}
