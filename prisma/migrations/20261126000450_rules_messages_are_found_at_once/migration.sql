-- CreateIndex
CREATE INDEX "deliveries_finished" ON "deliveries"("rule_id", "id") WHERE (state = ANY (ARRAY['dropped'::text, 'failed'::text, 'folded'::text, 'sent'::text]));

-- CreateIndex
CREATE INDEX "logs_rule_id_id_idx" ON "logs"("rule_id", "id");
