import { setTimeout } from "node:timers/promises";

const HOLD_SECONDS = Number(process.env.HOLD_SECONDS ?? 0);

export const handler = async () => {
  if (HOLD_SECONDS) await setTimeout(HOLD_SECONDS * 1000);
  return { statusCode: 200, headers: { "Content-Type": "application/json" }, body: '{"hello": "world"}' };
};
