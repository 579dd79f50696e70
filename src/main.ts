/** Web and worker in one process (npm start). */

import { start } from './start';

void start('dealbell', { web: true, worker: true });
