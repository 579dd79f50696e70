/** The web process: HTTP alone. */

import { start } from './start';

void start('web', { web: true, worker: false });
