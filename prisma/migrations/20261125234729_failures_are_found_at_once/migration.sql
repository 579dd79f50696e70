-- CreateIndex
CREATE INDEX "deliveries_not_sent" ON "deliveries"("tenant_id", "state", "id") WHERE (state = ANY (ARRAY['dropped'::text, 'failed'::text, 'folded'::text, 'held'::text]));

-- CreateIndex
CREATE INDEX "logs_failures" ON "logs"("tenant_id", "id") WHERE (status = 'failure'::text);
