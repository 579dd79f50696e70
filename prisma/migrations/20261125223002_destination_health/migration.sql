-- AlterTable
ALTER TABLE "chat_webhooks" ADD COLUMN     "fallback_webhook_id" INTEGER,
ADD COLUMN     "hold_hours" INTEGER NOT NULL DEFAULT 24,
ADD COLUMN     "next_probe_at" TIMESTAMPTZ(3),
ADD COLUMN     "probe_delivery_id" BIGINT,
ADD COLUMN     "probes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "told_at" TIMESTAMPTZ(3),
ADD COLUMN     "told_health" TEXT NOT NULL DEFAULT 'healthy',
ADD COLUMN     "told_through_id" INTEGER;

-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN     "held_because" TEXT,
ADD COLUMN     "is_unthreaded" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "uncertain" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "via_webhook_id" INTEGER,
ADD COLUMN     "waiting_since" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "notices" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "chat_webhook_id" INTEGER NOT NULL,
    "body" TEXT NOT NULL,
    "request_id" UUID NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "not_before" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotent_requests" (
    "tenant_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "digest" BYTEA NOT NULL,
    "answer" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotent_requests_pkey" PRIMARY KEY ("tenant_id","key")
);

-- CreateIndex
CREATE INDEX "notices_tenant_id_idx" ON "notices"("tenant_id");

-- CreateIndex
CREATE INDEX "notices_chat_webhook_id_idx" ON "notices"("chat_webhook_id");

-- CreateIndex
CREATE INDEX "notices_created_at_idx" ON "notices"("created_at");

-- CreateIndex
CREATE INDEX "notices_queued" ON "notices"("not_before") WHERE (state = 'queued'::text);

-- CreateIndex
CREATE INDEX "idempotent_requests_created_at_idx" ON "idempotent_requests"("created_at");

-- CreateIndex
CREATE INDEX "chat_webhooks_fallback_webhook_id_idx" ON "chat_webhooks"("fallback_webhook_id");

-- CreateIndex
CREATE INDEX "deliveries_held" ON "deliveries"("chat_webhook_id", "id") WHERE (state = 'held'::text);

-- CreateIndex
CREATE INDEX "deliveries_redirected" ON "deliveries"("chat_webhook_id", "id") WHERE (via_webhook_id IS NOT NULL);

-- AddForeignKey
ALTER TABLE "chat_webhooks" ADD CONSTRAINT "chat_webhooks_fallback_webhook_id_fkey" FOREIGN KEY ("fallback_webhook_id") REFERENCES "chat_webhooks"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notices" ADD CONSTRAINT "notices_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notices" ADD CONSTRAINT "notices_chat_webhook_id_fkey" FOREIGN KEY ("chat_webhook_id") REFERENCES "chat_webhooks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotent_requests" ADD CONSTRAINT "idempotent_requests_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;
