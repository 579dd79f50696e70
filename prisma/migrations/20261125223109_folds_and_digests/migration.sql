-- AlterTable
ALTER TABLE "chat_webhooks" ADD COLUMN     "fold_threshold" INTEGER,
ADD COLUMN     "folded_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN     "fold_kind" TEXT,
ADD COLUMN     "held_for" TEXT,
ADD COLUMN     "held_until" TIMESTAMPTZ(3),
ADD COLUMN     "released_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "rules" ADD COLUMN     "digest" JSONB,
ADD COLUMN     "urgent" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "deliveries_folded_into" ON "deliveries"("folded_into") WHERE (folded_into IS NOT NULL);

-- CreateIndex
CREATE INDEX "deliveries_folded" ON "deliveries"("tenant_id", "entity", "entity_id", "id") WHERE (state = 'folded'::text);

-- CreateIndex
CREATE INDEX "deliveries_held_until" ON "deliveries"("held_until") WHERE (state = 'held'::text AND held_for IS NOT NULL);

-- CreateIndex
CREATE INDEX "deliveries_untold_folds" ON "deliveries"("id") WHERE (fold_kind IS NOT NULL AND (state = ANY (ARRAY['failed'::text, 'dropped'::text])));
