-- Of expressions, which only the statements that look up by a record name: on a young table, and by old statistics, the planner took the
-- index of all messages of a tenant for as good as these, and read them all for each message. Their states too
-- are said as nothing else says them: what is looked up by its id must not be taken for something to read these whole for. (schema.prisma cannot say expressions.)
DROP INDEX "deliveries_unfinished";
DROP INDEX "deliveries_folded";
CREATE INDEX "deliveries_unfinished" ON "deliveries"((tenant_id + 0), "entity", "entity_id", (id + 0))
 WHERE ((state || '') IN ('queued', 'sending', 'held'));
CREATE INDEX "deliveries_folded" ON "deliveries"((tenant_id + 0), "entity", "entity_id", (id + 0)) WHERE ((state || '') = 'folded');

-- As events, deliveries and logs: the tenant's row was looked up and locked for every record that is new.
ALTER TABLE "records" DROP CONSTRAINT "records_tenant_id_fkey";
