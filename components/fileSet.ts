import * as pulumi from "@pulumi/pulumi";
import { hashOf } from "./hash";
import { ProvidedResource } from "./providedResource";

/**
 * What the steps of many machines are made of, under one hash. The state says of each resource on which others it depends: of the step of each of thirty
 * machines that is made of the files and keys of a hundred sites these were 55 kB of names. A step that is made of a FileSet has one.
 * @example new FileSet("workers-files", content).made(pulumi.output({ keys }), (shared, { keys }) => programOf(shared, keys))
 */
export class FileSet<Content> extends ProvidedResource {
  /** sha256 of the content, in hex. */
  declare readonly digest: pulumi.Output<string>;
  private readonly content: Promise<Content>;

  constructor(name: string, content: pulumi.Output<Content>, opts: pulumi.CustomResourceOptions = {}) {
    super("FileSet", name, { digest: hashOf(content) }, opts);
    this.content = new Promise((resolve) => {
      content.apply((known) => resolve(known));
    });
  }

  /** What `make` makes of the content and of what a machine has of its own, once all of it is known. A secret: there may be keys in it. */
  made<Own, Made>(own: pulumi.Output<Own>, make: (content: Content, own: Own) => Made): pulumi.Output<Made> {
    // The digest is known when the content is, and not before: so nothing waits here for ever.
    const made = pulumi.all([this.digest, own]).apply(async ([, known]) => make(await this.content, known as Own));
    return pulumi.secret(made) as pulumi.Output<Made>;
  }
}
