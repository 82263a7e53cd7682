CREATE TABLE "tunnel_allocations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"device_id" uuid NOT NULL,
	"user_id" uuid,
	"organization_id" uuid,
	"host" text NOT NULL,
	"protocol" text NOT NULL,
	"public_port" integer NOT NULL,
	"target_port" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tunnel_allocations_port_unique" UNIQUE("host","protocol","public_port"),
	CONSTRAINT "tunnel_allocations_one_owner" CHECK (num_nonnulls("tunnel_allocations"."user_id", "tunnel_allocations"."organization_id") = 1),
	CONSTRAINT "tunnel_allocations_ports" CHECK ("tunnel_allocations"."public_port" between 1 and 65535 and "tunnel_allocations"."target_port" between 1 and 65535)
);
--> statement-breakpoint
CREATE TABLE "tunnel_devices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid,
	"organization_id" uuid,
	"name" text NOT NULL,
	"token_hash" text NOT NULL,
	"ip_address" text,
	"last_seen_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tunnel_devices_token_hash_unique" UNIQUE("token_hash"),
	CONSTRAINT "tunnel_devices_one_owner" CHECK (num_nonnulls("tunnel_devices"."user_id", "tunnel_devices"."organization_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "tunnel_enrolments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"device_code_hash" text NOT NULL,
	"user_code_hash" text NOT NULL,
	"name" text NOT NULL,
	"ip_address" text,
	"status" text DEFAULT 'pending' NOT NULL,
	"approved_by" uuid,
	"organization_id" uuid,
	"poll_interval" integer NOT NULL,
	"last_polled_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tunnel_enrolments_device_code_hash_unique" UNIQUE("device_code_hash"),
	CONSTRAINT "tunnel_enrolments_user_code_hash_unique" UNIQUE("user_code_hash"),
	CONSTRAINT "tunnel_enrolments_approver" CHECK (("tunnel_enrolments"."status" = 'approved') = ("tunnel_enrolments"."approved_by" is not null)
        and ("tunnel_enrolments"."organization_id" is null or "tunnel_enrolments"."approved_by" is not null))
);
--> statement-breakpoint
ALTER TABLE "tunnel_allocations" ADD CONSTRAINT "tunnel_allocations_device_id_tunnel_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."tunnel_devices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tunnel_devices" ADD CONSTRAINT "tunnel_devices_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tunnel_devices" ADD CONSTRAINT "tunnel_devices_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tunnel_enrolments" ADD CONSTRAINT "tunnel_enrolments_approved_by_users_id_fk" FOREIGN KEY ("approved_by") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tunnel_enrolments" ADD CONSTRAINT "tunnel_enrolments_membership_fk" FOREIGN KEY ("approved_by","organization_id") REFERENCES "public"."memberships"("user_id","organization_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "tunnel_allocations_device" ON "tunnel_allocations" USING btree ("device_id","id");--> statement-breakpoint
CREATE INDEX "tunnel_allocations_user" ON "tunnel_allocations" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "tunnel_allocations_organization" ON "tunnel_allocations" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "tunnel_devices_user" ON "tunnel_devices" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "tunnel_devices_organization" ON "tunnel_devices" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "tunnel_enrolments_expiry" ON "tunnel_enrolments" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "tunnel_enrolments_owner" ON "tunnel_enrolments" USING btree ("approved_by","organization_id");--> statement-breakpoint
CREATE INDEX "tunnel_enrolments_organization" ON "tunnel_enrolments" USING btree ("organization_id");