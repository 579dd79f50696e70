/** Preloaded into a process: at each SIGUSR2 its wall clock jumps to the next offset of CLOCK_JUMPS_MS. Its monotonic clock does not. */
const offsets = (process.env.CLOCK_JUMPS_MS ?? '').split(',').map(Number);
const RealDate = globalThis.Date;
let offsetMs = 0;
const now = () => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});

process.on('SIGUSR2', () => {
  offsetMs = offsets.shift() ?? 0;
});
