/**
 * include/uapi/linux/cxl_mem.h: commands to a memory device through /dev/cxl/memN. The two payload pointers of the real
 * structure are offsets from its start here: the buffers follow it in the same bytes.
 */
export const CXL_MEM_QUERY_COMMANDS = 0x8008ce01;
export const CXL_MEM_SEND_COMMAND = 0xc030ce02;
export const CXL_SEND_COMMAND_SIZE = 48;
export const CXL_MEM_COMMAND_ID_IDENTIFY = 1;
export const CXL_MEM_COMMAND_ID_GET_FW_INFO = 4;
export const CXL_MEM_COMMAND_ID_GET_PARTITION_INFO = 5;
export const CXL_MEM_COMMAND_ID_GET_LSA = 6;
export const CXL_MEM_COMMAND_ID_GET_HEALTH_INFO = 7;
export const CXL_MEM_COMMAND_ID_SET_PARTITION_INFO = 9;
export const CXL_MEM_COMMAND_ID_SET_LSA = 10;
