/** For Prisma's own commands (`npx prisma studio`, `npx prisma format`); Dealbell generates by prisma/prepare.mjs and migrates by prisma/migrate.ts. */
import { defineConfig } from 'prisma/config';

const url = process.env['DATABASE_URL'];

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url === undefined ? {} : { datasource: { url } }),
});
