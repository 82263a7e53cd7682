/* How long a text may be, which the service checks and the console's fields stop at. */

export const NAME_MAX_LENGTH = 64;
export const API_KEY_NAME_MAX_LENGTH = 32;
/** Of a webhook or an SSH key. */
export const DESCRIPTION_MAX_LENGTH = 512;
export const ORGANIZATION_DESCRIPTION_MAX_LENGTH = 1000;
