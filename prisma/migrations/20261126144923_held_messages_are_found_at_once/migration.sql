-- CreateIndex
CREATE INDEX "deliveries_held_because" ON "deliveries"("chat_webhook_id", "via_webhook_id") WHERE (held_because IS NOT NULL AND finished_at IS NULL);

-- CreateIndex
CREATE INDEX "deliveries_unfinished_folds" ON "deliveries"("id") WHERE (fold_kind IS NOT NULL AND finished_at IS NULL);
