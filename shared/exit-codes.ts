/**
 * Exit code of a runner that lost the engine below it and has not said how it ended: its launcher starts it again or says so.
 * (EX_TEMPFAIL of sysexits.h: trying again may help.)
 */
export const ENGINE_LOST = 75;
