// https on the onion side.
import { certificate } from "../certificate";
import { whole } from "../check";
import { bare, setting } from "../setting";
import { choice, flag } from "../values";

export const tls = {
  onionTls: setting(
    choice(["off", "selfSigned"], {
      description:
        "https on the onion without a certificate authority. selfSigned: browsers other than Tor Browser warn. A site's own word counts more than its project's certificate.",
      examples: ["selfSigned"],
    }),
    "off",
  ),
  certificate: bare(
    certificate({
      description:
        "Certificate of the onion address and its chain, then https is served. Its key is in tlsKeys. On a project: one certificate for all its sites.",
      examples: ["certificates/www.example.org.pem"],
    }),
  ),
  forceHttps: setting(
    flag("Whether http is answered with a redirect to https. Only where there is https on the onion.", false),
    true,
  ),
  selfSignedDays: setting(
    whole(1, 3650, "", {
      description: "How long a self-signed certificate is valid; it is renewed in time.",
      unit: "days",
      examples: [90],
    }),
    365,
  ),
};
