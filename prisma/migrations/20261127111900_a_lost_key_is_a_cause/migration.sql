-- AlterTable
ALTER TABLE "chat_webhooks" ADD COLUMN     "health_cause" TEXT;

-- Till now it was known by the words of its reason alone.
UPDATE "chat_webhooks" SET "health_cause" = 'keyLost'
 WHERE "health" = 'broken' AND "health_reason" = 'Dealbell cannot read the key of this space. Replace its URL.';
