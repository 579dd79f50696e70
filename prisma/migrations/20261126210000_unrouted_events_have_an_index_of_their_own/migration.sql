-- Of expressions, which only the statements that look for them name: once a backlog had blown it up, the planner took the index of all
-- events of a company for better where it knew nothing of that company yet, and read them all for each batch. (schema.prisma cannot say expressions.)
DROP INDEX "events_unrouted";
CREATE INDEX "events_unrouted" ON "events"((tenant_id + 0), (id + 0)) WHERE (routed_at IS NULL);
