using Vizsla.Distributed;

namespace Vizsla.Extensions.Tests;

/// <summary>A custom transport below <see cref="ProcessGroup"/>.</summary>
public sealed class TransportTests
{
    [Fact]
    public void A_transport_joins_two_ranks()
    {
        using var meeting = new Barrier(2);
        var handed = new byte[2][];
        var sums = new float[2][];
        var threads = Enumerable.Range(0, 2).Select(rank => new Thread(() =>
        {
            using ProcessGroup pair = new Pair(rank, meeting, handed) { Timeout = TimeSpan.FromMinutes(1) };
            float[] values = [1 + rank, 10];
            pair.AllReduce(values);
            sums[rank] = values;
        })).ToList();

        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        Assert.All(sums, values => Assert.Equal([3f, 20f], values));
    }

    private sealed class Pair(int rank, Barrier meeting, byte[][] handed) : ProcessGroup
    {
        public override int Rank => rank;

        public override int Size => 2;

        public override int LocalRank => rank;

        public override void AllReduce(Span<float> values)
        {
            var all = AllGather(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values));
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = BitConverter.ToSingle(all[0], i * sizeof(float)) + BitConverter.ToSingle(all[1], i * sizeof(float));
            }
        }

        public override void Broadcast(Span<byte> values, int root = 0) => AllGather(values)[root].CopyTo(values);

        public override IReadOnlyList<byte[]> AllGather(ReadOnlySpan<byte> values)
        {
            handed[rank] = values.ToArray();
            meeting.SignalAndWait();
            byte[][] all = [.. handed];
            meeting.SignalAndWait();
            return all;
        }

        public override void Barrier() => meeting.SignalAndWait();

        public override void Abort(string reason) => throw new InvalidOperationException(reason);
    }
}
