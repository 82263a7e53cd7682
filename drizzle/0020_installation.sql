CREATE TABLE "installation" (
	"id" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"secret_hash" text NOT NULL,
	CONSTRAINT "installation_one_row" CHECK ("installation"."id")
);
