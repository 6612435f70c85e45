/** Numbers of JSON straight from their bytes. */

const [MINUS, PLUS, DOT, ZERO, NINE, UPPER_E, LOWER_E] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x45, 0x65];
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Digits that a double holds exactly, whatever they are. */
const EXACT = 15;

export class JsonNumber {
  /** What was read last. */
  value = 0;
  /** Whether it is the double that JSON.parse gives; else it is within two units in the last place of it. */
  exact = true;

  /** Reads the number that starts at `at`; the place behind it, or −1 where there is no number as JSON has it, or one that a double cannot hold. */
  read(bytes: Uint8Array, at: number, to: number): number {
    const start = at;
    const negative = bytes[at] === MINUS;
    let place = negative ? at + 1 : at;
    // Up to 15 digits without rounding, then as many again.
    let [head, rest, digits, restDigits, fraction] = [0, 0, 0, 0, 0];
    const wholeStart = place;
    let inFraction = false;
    for (; place < to; place++) {
      const byte = bytes[place] as number;
      if (byte >= ZERO && byte <= NINE) {
        if (digits < EXACT) {
          head = 10 * head + (byte - ZERO);
          if (head !== 0) digits++;
        } else {
          rest = 10 * rest + (byte - ZERO);
          restDigits++;
        }
        if (inFraction) fraction++;
      } else if (byte === DOT && !inFraction && place > wholeStart) inFraction = true;
      else break;
    }
    const wholeEnd = inFraction ? place - fraction - 1 : place;
    if (wholeEnd === wholeStart || (inFraction && fraction === 0)) return -1;
    if (bytes[wholeStart] === ZERO && wholeEnd > wholeStart + 1) return -1;
    let exponent = 0;
    if (bytes[place] === LOWER_E || bytes[place] === UPPER_E) {
      place++;
      const down = bytes[place] === MINUS;
      if (down || bytes[place] === PLUS) place++;
      const first = place;
      for (; place < to; place++) {
        const byte = bytes[place] as number;
        if (byte < ZERO || byte > NINE) break;
        exponent = 10 * exponent + (byte - ZERO);
      }
      if (place === first || place - first > 4) return -1;
      if (down) exponent = -exponent;
    }
    const scale = exponent - fraction;
    if (restDigits > EXACT || scale > 22 || scale < -22) return this.readSlowly(bytes, start, place);
    const whole = restDigits === 0 ? head : head * (POWERS[restDigits] as number) + rest;
    const size = scale < 0 ? whole / (POWERS[-scale] as number) : whole * (POWERS[scale] as number);
    this.value = negative ? -size : size;
    this.exact = restDigits === 0;
    return place;
  }

  private readSlowly(bytes: Uint8Array, from: number, to: number): number {
    this.value = Number(String.fromCharCode(...bytes.subarray(from, to)));
    this.exact = true;
    return Number.isFinite(this.value) ? to : -1;
  }
}
