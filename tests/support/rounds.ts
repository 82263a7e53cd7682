const numberOf = (variable: string, usual: number): number => Number(process.env[variable] ?? usual);

/** How often a race is run: as often as a suite that must stay quick can, or RACE_ROUNDS times. */
export const roundsOf = (usual: number): number => numberOf('RACE_ROUNDS', usual);

/** Every `step`-th, beginning with another each turn; all of them where RACE_ROUNDS asks for more than one round. */
export const inTurns = <T>(all: readonly T[], turn: number, step: number): T[] =>
  roundsOf(1) > 1 ? [...all] : all.filter((_, at) => (at + turn) % step === 0);

/** How often a fault is caused; the same by FAULT_ROUNDS. */
export const faultRoundsOf = (usual: number): number => numberOf('FAULT_ROUNDS', usual);

/** How many generated inputs a procedure gets: the same few in the suite, others by FUZZ_RUNS and FUZZ_SEED. */
export const fuzzing = (usual: number) => ({
  numRuns: numberOf('FUZZ_RUNS', usual),
  seed: numberOf('FUZZ_SEED', 1),
});

/** With FAULT_ROUNDS, one line of figures for docs/reliability.md. */
export function tell(what: string, figures: Record<string, number>): void {
  if (process.env.FAULT_ROUNDS === undefined) return;
  const parts = Object.entries(figures).map(([name, figure]) => `${name} ${Math.round(figure)}`);
  process.stdout.write(`${what}: ${parts.join(', ')}\n`);
}
