-- CreateTable
CREATE TABLE "tenants" (
    "id" SERIAL NOT NULL,
    "public_id" UUID NOT NULL,
    "company_id" BIGINT NOT NULL,
    "company_name" TEXT NOT NULL,
    "company_domain" TEXT NOT NULL,
    "locale" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "base_currency" TEXT NOT NULL,
    "rules_version" INTEGER NOT NULL DEFAULT 0,
    "sealed_signing_secret" TEXT NOT NULL,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "uninstalled_at" TIMESTAMPTZ(3),

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pipedrive_connections" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "user_id" BIGINT NOT NULL,
    "user_name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "sealed_tokens" TEXT NOT NULL,
    "scopes" TEXT[],
    "api_domain" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "is_admin" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'active',
    "state_reason" TEXT,
    "last_refreshed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pipedrive_connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pipedrive_webhooks" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "connection_id" INTEGER NOT NULL,
    "remote_id" BIGINT,
    "event_object" TEXT NOT NULL,
    "event_action" TEXT NOT NULL,
    "subscription_url" TEXT NOT NULL,
    "auth_user" TEXT NOT NULL,
    "credential_hash" BYTEA NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'creating',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "pipedrive_webhooks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chat_webhooks" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "space_id" TEXT NOT NULL,
    "sealed_credentials" TEXT NOT NULL,
    "credentials_digest" BYTEA NOT NULL,
    "health" TEXT NOT NULL DEFAULT 'healthy',
    "health_reason" TEXT,
    "health_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "refusals" INTEGER NOT NULL DEFAULT 0,
    "last_refusal_at" TIMESTAMPTZ(3),
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "threads" TEXT NOT NULL DEFAULT 'off',
    "threading_unsupported" BOOLEAN NOT NULL DEFAULT false,
    "fold" TEXT NOT NULL DEFAULT 'auto',
    "time_zone" TEXT,
    "locale" TEXT,
    "quiet_hours" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_webhooks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "google_spaces" (
    "space_id" TEXT NOT NULL,
    "next_slot_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_until" TIMESTAMPTZ(3),
    "troubles" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "google_spaces_pkey" PRIMARY KEY ("space_id")
);

-- CreateTable
CREATE TABLE "rules" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "filters" JSONB NOT NULL DEFAULT '{}',
    "template_mode" TEXT NOT NULL DEFAULT 'compact',
    "template" TEXT,
    "settle_ms" INTEGER,
    "position" INTEGER NOT NULL DEFAULT 0,
    "stop_after" BOOLEAN NOT NULL DEFAULT false,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "enabled_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "author" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rule_targets" (
    "rule_id" INTEGER NOT NULL,
    "chat_webhook_id" INTEGER NOT NULL,
    "tenant_id" INTEGER NOT NULL,

    CONSTRAINT "rule_targets_pkey" PRIMARY KEY ("rule_id","chat_webhook_id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "meta_id" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "payload" BYTEA NOT NULL,
    "ignored_reason" TEXT,
    "routed_at" TIMESTAMPTZ(3),
    "transitions" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "decisions" JSONB,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "records" (
    "tenant_id" INTEGER NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "state" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(3),
    "refreshed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),
    "merged_into" TEXT,
    "conversion_key" TEXT,
    "converted_from" TEXT,
    "window_opened_at" TIMESTAMPTZ(3),
    "window_before" JSONB,

    CONSTRAINT "records_pkey" PRIMARY KEY ("tenant_id","entity","entity_id")
);

-- CreateTable
CREATE TABLE "deliveries" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "event_id" BIGINT NOT NULL,
    "rule_id" INTEGER NOT NULL,
    "chat_webhook_id" INTEGER NOT NULL,
    "space_id" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "replay" INTEGER NOT NULL DEFAULT 0,
    "transition" JSONB NOT NULL,
    "record" JSONB NOT NULL,
    "record_before" JSONB,
    "actor_user_id" BIGINT,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "template_mode" TEXT NOT NULL,
    "template" TEXT,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "state_reason" TEXT,
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "request_id" UUID NOT NULL,
    "rendered_body" TEXT,
    "is_plain" BOOLEAN NOT NULL DEFAULT false,
    "chat_message_name" TEXT,
    "chat_thread_name" TEXT,
    "folded_into" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "logs" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "delivery_id" BIGINT,
    "event_id" BIGINT,
    "rule_id" INTEGER,
    "chat_webhook_id" INTEGER,
    "status" TEXT NOT NULL,
    "http_status" INTEGER,
    "error_message" TEXT,
    "duration_ms" INTEGER NOT NULL,
    "test_body" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "logs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "plan" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "is_trial" BOOLEAN NOT NULL DEFAULT false,
    "starts_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ends_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" SERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" INTEGER NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "changes" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "sid" TEXT NOT NULL,
    "sess" JSON NOT NULL,
    "expire" TIMESTAMP(6) NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("sid")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_public_id_key" ON "tenants"("public_id");

-- CreateIndex
CREATE UNIQUE INDEX "tenants_company_id_key" ON "tenants"("company_id");

-- CreateIndex
CREATE UNIQUE INDEX "pipedrive_connections_tenant_id_user_id_key" ON "pipedrive_connections"("tenant_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "pipedrive_webhooks_auth_user_key" ON "pipedrive_webhooks"("auth_user");

-- CreateIndex
CREATE INDEX "pipedrive_webhooks_tenant_id_idx" ON "pipedrive_webhooks"("tenant_id");

-- CreateIndex
CREATE INDEX "pipedrive_webhooks_connection_id_idx" ON "pipedrive_webhooks"("connection_id");

-- CreateIndex
CREATE INDEX "chat_webhooks_space_id_idx" ON "chat_webhooks"("space_id");

-- CreateIndex
CREATE UNIQUE INDEX "chat_webhooks_tenant_id_credentials_digest_key" ON "chat_webhooks"("tenant_id", "credentials_digest");

-- CreateIndex
CREATE INDEX "rules_tenant_id_position_idx" ON "rules"("tenant_id", "position");

-- CreateIndex
CREATE INDEX "rule_targets_chat_webhook_id_idx" ON "rule_targets"("chat_webhook_id");

-- CreateIndex
CREATE INDEX "rule_targets_tenant_id_idx" ON "rule_targets"("tenant_id");

-- CreateIndex
CREATE INDEX "events_tenant_id_id_idx" ON "events"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "events_received_at_idx" ON "events"("received_at");

-- CreateIndex
CREATE INDEX "events_unrouted" ON "events"("tenant_id", "id") WHERE (routed_at IS NULL);

-- CreateIndex
CREATE UNIQUE INDEX "events_identity" ON "events"("tenant_id", "entity", "entity_id", "action", "occurred_at", "meta_id");

-- CreateIndex
CREATE INDEX "records_conversion" ON "records"("tenant_id", "conversion_key") WHERE (conversion_key IS NOT NULL);

-- CreateIndex
CREATE INDEX "deliveries_tenant_id_id_idx" ON "deliveries"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "deliveries_created_at_idx" ON "deliveries"("created_at");

-- CreateIndex
CREATE INDEX "deliveries_due" ON "deliveries"("space_id", "not_before", "id") WHERE (state IN ('queued', 'sending'));

-- CreateIndex
CREATE INDEX "deliveries_unfinished" ON "deliveries"("tenant_id", "entity", "entity_id", "id") WHERE (state IN ('queued', 'sending', 'held'));

-- CreateIndex
CREATE UNIQUE INDEX "deliveries_once" ON "deliveries"("event_id", "rule_id", "chat_webhook_id", "replay");

-- CreateIndex
CREATE INDEX "logs_tenant_id_id_idx" ON "logs"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "logs_created_at_idx" ON "logs"("created_at");

-- CreateIndex
CREATE INDEX "subscriptions_tenant_id_idx" ON "subscriptions"("tenant_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_hash_key" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "api_keys_tenant_id_idx" ON "api_keys"("tenant_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_id_idx" ON "audit_entries"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "session_expire_idx" ON "session"("expire");

-- AddForeignKey
ALTER TABLE "pipedrive_connections" ADD CONSTRAINT "pipedrive_connections_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pipedrive_webhooks" ADD CONSTRAINT "pipedrive_webhooks_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pipedrive_webhooks" ADD CONSTRAINT "pipedrive_webhooks_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "pipedrive_connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chat_webhooks" ADD CONSTRAINT "chat_webhooks_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rules" ADD CONSTRAINT "rules_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rule_targets" ADD CONSTRAINT "rule_targets_rule_id_fkey" FOREIGN KEY ("rule_id") REFERENCES "rules"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rule_targets" ADD CONSTRAINT "rule_targets_chat_webhook_id_fkey" FOREIGN KEY ("chat_webhook_id") REFERENCES "chat_webhooks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rule_targets" ADD CONSTRAINT "rule_targets_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "events" ADD CONSTRAINT "events_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "records" ADD CONSTRAINT "records_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "logs" ADD CONSTRAINT "logs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_entries" ADD CONSTRAINT "audit_entries_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;
