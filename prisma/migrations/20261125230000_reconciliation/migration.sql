-- AlterTable
ALTER TABLE "records" ADD COLUMN     "reconciled_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "reconciliations" (
    "tenant_id" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "compared_until" JSONB NOT NULL DEFAULT '{}',
    "next_run_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_until" TIMESTAMPTZ(3),
    "last_started_at" TIMESTAMPTZ(3),
    "last_finished_at" TIMESTAMPTZ(3),
    "trouble" TEXT,
    "wanted_because" TEXT,

    CONSTRAINT "reconciliations_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "sightings" (
    "tenant_id" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sightings_pkey" PRIMARY KEY ("tenant_id","type","entity_id","happened_at")
);

-- CreateTable
CREATE TABLE "heartbeats" (
    "service" TEXT NOT NULL,
    "beat_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "heartbeats_pkey" PRIMARY KEY ("service")
);

-- CreateIndex
CREATE INDEX "reconciliations_next_run_at_idx" ON "reconciliations"("next_run_at");

-- CreateIndex
CREATE INDEX "sightings_tenant_id_happened_at_idx" ON "sightings"("tenant_id", "happened_at");

-- AddForeignKey
ALTER TABLE "reconciliations" ADD CONSTRAINT "reconciliations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sightings" ADD CONSTRAINT "sightings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What happened before this was deployed is the past for the tenants that are installed already.
INSERT INTO "reconciliations" ("tenant_id", "since") SELECT "id", now() FROM "tenants" WHERE "uninstalled_at" IS NULL;
