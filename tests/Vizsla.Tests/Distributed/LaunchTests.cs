using Vizsla.Distributed;
using Vizsla.Native;

namespace Vizsla.Tests.Distributed;

public sealed class LaunchTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=8 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_RANK=3", 3, 8, 1, 2, MpiAbi.OpenMpi)]
    [InlineData("PMI_RANK=1 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2", 1, 4, 1, 2, MpiAbi.Mpich)]
    [InlineData("SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=7 SLURM_LOCALID=1 SLURM_NODEID=2 SLURM_STEP_TASKS_PER_NODE=2(x3),1 PMIX_RANK=5", 5, 7, 1, 2, MpiAbi.OpenMpi)]
    [InlineData("SLURM_PROCID=6 SLURM_STEP_NUM_TASKS=7 SLURM_LOCALID=0 SLURM_NODEID=3 SLURM_STEP_TASKS_PER_NODE=2(x3),1 PMI_RANK=6 PMI_SIZE=7", 6, 7, 0, 1, MpiAbi.Mpich)]
    [InlineData("SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=0", 0, 2, 0, 2, null)]
    public void Each_launcher_says_who_this_process_is(string environment, int rank, int size, int localRank, int localSize, object? abi)
    {
        var launch = Launch.Find(Variables(environment));

        Assert.Equal(new Launch(rank, size, localRank, localSize, (MpiAbi?)abi), launch);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_JOB_ID=7")]
    [InlineData("OMPI_COMM_WORLD_RANK=x OMPI_COMM_WORLD_SIZE=2")]
    public void A_process_that_no_launcher_started_is_alone(string environment) => Assert.Null(Launch.Find(Variables(environment)));

    [Theory]
    [InlineData(2, 8, 8, false, 4)]
    [InlineData(4, 2, 2, false, 1)]
    [InlineData(4, 8, 16, true, 4)]
    [InlineData(2, 1, 16, true, 1)]
    [InlineData(2, 4, 64, false, 2)]
    public void Processes_of_one_machine_share_its_cores(int localSize, int granted, int all, bool isBound, int expected) =>
        Assert.Equal(expected, new Launch(0, localSize, 0, localSize, null).Cores(granted, all, isBound));

    [Fact]
    public void A_process_alone_is_a_group_of_one()
    {
        using var group = ProcessGroup.Solo;
        float[] values = [1, 2];

        group.AllReduce(values);
        group.Barrier();

        Assert.Equal((0, 1, 0), (group.Rank, group.Size, group.LocalRank));
        Assert.Equal([1f, 2f], values);
        Assert.Equal([[5, 6]], group.AllGather([5, 6]));
    }

    private static Func<string, string?> Variables(string environment)
    {
        var values = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        return name => values.GetValueOrDefault(name);
    }
}
