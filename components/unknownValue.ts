/** What stands for a value that is not known yet in what a provider is given (Pulumi's wire format; the SDK keeps its own to itself). */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
