/** How often a race is run: as often as a suite that must stay quick can, or RACE_ROUNDS times. */
export const roundsOf = (usual: number): number => Number(process.env.RACE_ROUNDS ?? usual);
