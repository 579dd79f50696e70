-- CreateTable
CREATE TABLE "watches" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "chat_webhook_id" INTEGER NOT NULL,
    "author" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "watches_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "watches_chat_webhook_id_idx" ON "watches"("chat_webhook_id");

-- CreateIndex
CREATE UNIQUE INDEX "watches_tenant_id_entity_entity_id_chat_webhook_id_key" ON "watches"("tenant_id", "entity", "entity_id", "chat_webhook_id");

-- AddForeignKey
ALTER TABLE "watches" ADD CONSTRAINT "watches_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "watches" ADD CONSTRAINT "watches_chat_webhook_id_fkey" FOREIGN KEY ("chat_webhook_id") REFERENCES "chat_webhooks"("id") ON DELETE CASCADE ON UPDATE CASCADE;
