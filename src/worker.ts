/** The worker process: routing, delivery and upkeep alone. */

import { start } from './start';

void start('worker', { web: false, worker: true });
