/** What a machine is told at its first boot. */
export interface UserData {
  /** Public key of the login, as `type base64`. */
  readonly loginKey: string;
  /** The host key that the machine shows first. Whoever runs on the machine can read user data: it is replaced at once. */
  readonly hostKey: {
    /** OpenSSH format. */
    readonly privateKey: string;
    /** As `type base64`. */
    readonly publicKey: string;
  };
}

/** The user that steps log in as. */
export const loginUser = "softmap";

const sshd = [
  // With others beside it a client that prefers another type would be shown a key that nobody pinned.
  "HostKey /etc/ssh/ssh_host_ed25519_key",
  "PasswordAuthentication no",
  "KbdInteractiveAuthentication no",
  "PermitRootLogin no",
  `AllowUsers ${loginUser}`,
];

/**
 * The user data of a machine, for cloud-init: the least that a first step needs, a user with sudo and a host key that we know. A change of it
 * reaches no machine that is there. It is a secret: a private key is in it. JSON is YAML.
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html: users-groups, ssh and write-files run before sshd starts. Debian's images have
 * sudo, and python3 for cloud-init itself.
 */
export function userData({ loginKey, hostKey }: UserData): string {
  const config = {
    // No `default` among them: Debian's own user is not made.
    users: [
      {
        name: loginUser,
        gecos: "softmap",
        shell: "/bin/bash",
        lock_passwd: true,
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        ssh_authorized_keys: [loginKey],
      },
    ],
    disable_root: true,
    // A key pair of the account's is no way in either.
    allow_public_ssh_keys: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    write_files: [{ path: "/etc/ssh/sshd_config.d/10-softmap.conf", content: sshd.join("\n") + "\n" }],
    // Else cloud-init generates en_US, for nobody.
    locale: "C.UTF-8",
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}
