// The import fences of the design: who may import whom. `npm run check` holds them.
const stage = (name, others) => ({
  name: `${name}-knows-core-and-itself`,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: '\\.(routes|store)\\.tsx?$' },
  to: { path: '^(src|views|public)/', pathNot: [`^src/(core|${name})/`, ...others] },
});
const STAGES = 'intake|rules|messages|delivery';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'core-imports-only-itself-and-zod',
      severity: 'error',
      from: { path: '^src/core/' },
      // A hash is as pure as the rest of core.
      to: { pathNot: ['^src/core/', '(^|/)node_modules/zod/', '^(node:)?crypto$'] },
    },
    {
      name: 'platform-knows-core-errors-alone',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/', pathNot: ['^src/platform/', '^src/core/errors\\.ts$'] },
    },
    {
      name: 'clients-know-core-and-platform',
      severity: 'error',
      from: { path: '^src/clients/' },
      to: { path: '^src/', pathNot: '^src/(clients|core|platform)/' },
    },
    stage('intake', []),
    stage('rules', []),
    stage('messages', []),
    stage('delivery', ['^src/messages/']),
    {
      name: 'stages-never-import-each-other',
      severity: 'error',
      from: { path: `^src/(${STAGES})/` },
      to: { path: `^src/(${STAGES})/`, pathNot: ['^src/$1/', '^src/messages/'] },
    },
    { name: 'only-delivery-renders', severity: 'error', from: { path: '^src/(intake|rules)/' }, to: { path: '^src/messages/' } },
    {
      name: 'features-do-not-know-what-sits-on-top',
      severity: 'error',
      from: { path: `^src/(core|platform|clients|${STAGES}|install|registration|plans|upkeep)/` },
      to: { path: '^src/(settings|api|admin)/' },
    },
    {
      name: 'only-entries-compose',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main|web|worker|start|compose)\\.ts$' },
      to: { path: '^src/(compose|main|web|worker|start)\\.ts$' },
    },
    { name: 'src-never-imports-tests', severity: 'error', from: { path: '^(src|views|prisma)/' }, to: { path: '^test/' } },
    {
      name: 'express-only-in-routes-and-platform',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.routes\\.tsx?$', '^src/platform/', '^src/compose'] },
      to: {
        path: '(^|/)node_modules/(express|express-session|connect-pg-simple|helmet|pino-http)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'database-only-in-stores',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.store\\.ts$', '^src/platform/(database|session|embedded|postgres|left-over)'] },
      to: { path: '(^|/)node_modules/(pg|@prisma)/|^prisma/generated/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'bullmq-only-in-queues',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/queue', '^src/compose', '^src/admin/'] },
      to: { path: '(^|/)node_modules/(bullmq|ioredis)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sdk-only-in-clients',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/clients/' },
      to: { path: '(^|/)node_modules/(pipedrive|simple-oauth2)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules|prisma/generated' },
    exclude: { path: '^(dist|prisma/generated/internal)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
