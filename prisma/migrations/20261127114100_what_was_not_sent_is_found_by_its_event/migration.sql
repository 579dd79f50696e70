-- CreateIndex
CREATE INDEX "deliveries_not_sent_of" ON "deliveries"("tenant_id", "state", "event_id") WHERE (state = ANY (ARRAY['dropped'::text, 'failed'::text, 'folded'::text, 'held'::text]));
